document.body.textContent = 'WebSocket'

export {}
