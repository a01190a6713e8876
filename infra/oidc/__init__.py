"""Sign-in by another OpenID issuer: the authorization code flow with PKCE."""

from .provider import Begun, OpenIdProvider, ProviderAway

__all__ = ["Begun", "OpenIdProvider", "ProviderAway"]
