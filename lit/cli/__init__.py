"""The command line.  One module per command, each thin; what is heavy is imported where it is first needed.

Standard output carries results only, standard error progress and messages.  Exit code 0: everything that was asked
for is done; 1: a `LitError`, said on one line; 2: usage; 130: Ctrl-C.  Any other exception is a bug and shows its
traceback.
"""
