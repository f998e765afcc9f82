"""Which field of the ERP becomes which field of a contact, and what is done with the value on the way."""
