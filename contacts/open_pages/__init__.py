"""What is open in browsers at this moment: telling them of changes, who edits, what is typed and not sent."""
