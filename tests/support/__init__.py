"""What tests share: files and folders that they write, small networks, programs that they start."""
