"""The pages of Earwitness. They draw; all thinking is done by `engine`, of which they use the public list alone."""
