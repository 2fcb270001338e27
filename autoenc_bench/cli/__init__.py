"""The command line ``autoenc-bench``: ``main`` runs it, and each other module but ``output`` is one command.

A module's docstring is its command's help, ``add`` declares its options, and ``run`` returns the text to print, with
the exit status where that is not 0. No other folder imports this one.
"""
