"""Recordings from public git repositories, at pinned commits. Not yet: see fetch_repositories."""


def fetch_repositories(name, rows, folder, stored_name):
    """Fetches the rows of origin `name` into `folder`. Returns complaints."""
    del rows, folder, stored_name
    return [f"{name}: give a folder that has it with --from DIR"]
