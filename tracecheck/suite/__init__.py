"""Suite files: which captures a project has, and which rules they have to keep."""
