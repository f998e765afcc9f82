"""What people may type, and the sentence when it cannot be taken."""
