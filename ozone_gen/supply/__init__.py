"""What a site's containers are made of: its bill of materials, its images' digests, and what of it was tested."""
