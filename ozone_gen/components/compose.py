"""Pieces of compose services that every component writes in the same way."""

from __future__ import annotations

from typing import Any, Final

from ozone_gen.plan import SitePlan

HEALTHY: Final = {"condition": "service_healthy"}
STARTED: Final = {"condition": "service_started"}
DONE: Final = {"condition": "service_completed_successfully"}


def running(plan: SitePlan, service: str, *, image: str | None = None) -> dict[str, Any]:
    """Begin a service that runs as long as the site does; `image` names its image where that is not its name."""
    return {
        "image": plan.images[image or service],
        "restart": "unless-stopped",
        "mem_limit": f"{plan.memory[service]}m",
    }


def healthcheck(shell: str, *, timeout: int = 20, start: int = 120) -> dict[str, Any]:
    """Check health by a shell command, which has to be cheap: it runs every 5 seconds for ever.

    To run one costs an engine 0.07 s of processor or more. Every 2 or 3 seconds, those of the demo site's ten services
    took a quarter of a processor, at rest, too. (Compose's `start_interval` would allow still rarer ones after the
    start, but needs Docker Engine 25.)

    A failure counts only once `start` seconds are over: a slow machine is not an unhealthy one. For the same reason a
    check may take long: on two busy cores, seconds pass until its shell has started.
    """
    return {
        "test": ["CMD-SHELL", shell],
        "interval": "5s",
        "timeout": f"{timeout}s",
        "retries": 6,
        "start_period": f"{start}s",
    }


def ports(plan: SitePlan, part: str, container_port: int) -> list[str]:
    """Publish a container's port on the host as the plan says; an empty list where it is closed."""
    port = plan.ports[part]
    return [] if port is None else [f"{plan.bind_address}:{port}:{container_port}"]


def tolerant(condition: dict[str, str]) -> dict[str, Any]:
    """Start a service first, and go on with a warning where it is ill.

    It has to be in one of the files that are started: Compose refuses to depend on a service that is in none.
    """
    return {**condition, "required": False}


def setup_step(plan: SitePlan, service: str, program: str) -> dict[str, Any]:
    """Begin a service that runs one of the programs of the site's setup image (templates/setup), once."""
    return {
        "image": f"ozone-gen/{plan.site.id}-setup",
        "build": {"context": "./setup", "args": {"BASE_IMAGE": plan.images["python"]}},
        "command": ["python", "-m", f"ozone_setup.{program}"],
        "restart": "no",
        "mem_limit": f"{plan.memory[service]}m",
    }
