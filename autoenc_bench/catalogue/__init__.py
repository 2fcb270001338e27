"""What is run, how large, and which change matters: experiments, scales and limits."""
