"""Data sets as arrays: from official files, folders of images, tables of series. No torch."""
