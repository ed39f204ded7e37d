# installed by scripts
