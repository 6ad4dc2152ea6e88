"""A site's folder that was made by hand, after the layout of Ozone Analytics -> the ozone.yaml that comes closest.

`reading` finds what the folder says and where, `deciding` turns it into values for ozone.yaml and into what could not
be carried over, `writing` makes the text.
"""
