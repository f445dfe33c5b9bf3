"""What `verify.py` is made of, on Python 3.8 and `cryptography` alone.

Modules here import the standard library, `cryptography` and each other; `assembled` puts them into the one file that
lies in every package.
"""
