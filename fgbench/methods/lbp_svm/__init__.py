"""SVM on local binary patterns."""
