"""What stands around every page: businesses, places to go, the words and clock of the reader."""
