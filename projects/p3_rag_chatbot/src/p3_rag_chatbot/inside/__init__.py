"""What the page shows of the models' insides: tokens, attention, a map of meanings, next tokens.

Thin views over the real models; nothing here answers a question. Served by `inside_routes.py`.
"""
