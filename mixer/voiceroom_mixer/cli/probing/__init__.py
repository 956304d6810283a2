"""A WebRTC client without a browser, made of other code than the mixer's own half: it joins by
WHIP, says a tone and listens to what comes back."""
