"""How good the answers are: question sets, runs of a configuration over them, figures, gates.

`question_sets.py` reads them, `running.py` asks, `figures.py` measures, `experiment.py` compares
the three depths. Needs the extra `ai-roadmap-common[evaluation]`.
"""
