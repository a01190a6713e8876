"""`pacemark demo`: a small site is measured, grows slow, and is found out; nothing of it is made up."""
