"""The toolkit for commands: their base, questions, output, arguments."""
