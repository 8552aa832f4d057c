"""What is explained in place of the output of the network: hidden units, and contrasts of outputs."""
