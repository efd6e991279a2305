"""Tables, figures and summaries of one run."""
