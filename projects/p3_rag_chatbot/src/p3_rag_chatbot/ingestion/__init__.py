"""From files, archives and web pages to chunks in an index.

`sources` finds what there is to read, `loading` reads it in a process of its own, `documents` is
what reading makes, `chunks` cuts it where its structure allows, `indexing` keeps it up to date.
"""
