"""The harness of `make bench`: run.py in the folder above is its command."""
