"""The kinds of files that can be made into text, one file each; what is none of them is read as text, if it is that."""
