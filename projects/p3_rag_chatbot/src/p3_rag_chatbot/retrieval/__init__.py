"""Finding passages: by words (BM25), by meaning (vectors), and by both.

Start with `search.py` (`Searcher`), which reads `collection_index.py` (what is searched, made of
immutable `segments.py`), `fusion.py` (two rankings into one), and what the candidates then go
through: `near_duplicates.py` and `diversity.py`. `vector_stores.py` is the same search by meaning
in pgvector, Qdrant or Pinecone.
"""
