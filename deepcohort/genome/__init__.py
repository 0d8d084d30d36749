"""What all rooms share: regions, VCF access, sample lists, maps, files written whole or not at all."""
