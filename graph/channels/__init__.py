"""Channels, their routes and their deliveries in GraphQL."""

from .mutation import Mutation
from .routes import RouteMutation
from .trying import DeliveryMutation
from .types import Channel, Delivery, Route

__all__ = ["Channel", "Delivery", "DeliveryMutation", "Mutation", "Route", "RouteMutation"]
