"""What a change of sites means for what runs: `ozone-gen diff`.

`sides` finds the sites of both sides, `git` reads those of a revision, `compose` and `assets` compare what was
rendered, `site` puts that together for one site, and `terminal`, `markdown` and `as_json` say it.
"""
