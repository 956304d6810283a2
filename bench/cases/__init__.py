"""One module for each kind of figure; a case gives the rows of the table."""
