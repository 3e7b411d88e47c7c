"""What AYA can do: plain typed functions, one file per noun. The faces in `serve/` only call them and show what they
return.
"""
