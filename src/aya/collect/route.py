"""A route, and which of several is the default."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route out of an interface. The destination of a default route is `0.0.0.0/0` or `::/0`."""

    interface: str
    destination: str
    gateway: str | None
    metric: int

    @property
    def default(self) -> bool:
        """Whether it leads everywhere."""
        return self.destination in ("0.0.0.0/0", "::/0")


def default_route(routes: list[Route], version: int, name: str | None = None) -> Route | None:
    """The default route with the lowest metric, of the machine or through one interface."""
    wanted = [
        route
        for route in routes
        if route.default and (":" in route.destination) is (version == 6) and name in (None, route.interface)
    ]
    return min(wanted, key=lambda route: route.metric, default=None)
