"""The command line: gather, call one flow function, render, exit."""
