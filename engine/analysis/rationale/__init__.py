"""From observations to an argued opinion: a table of cues, rules over it, and a local language model where there is one."""
