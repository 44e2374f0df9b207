"""Speaks to the example as clients of the reference system do, with the messages that protoc has made of websocket.proto.

python3 protobuf-client.py <URL of the WebSocket> <token> <folder of websocket_pb2.py>

Prints what it has received as one object of JSON."""

import asyncio
import json
import sys
import uuid

import websockets
from google.protobuf.json_format import MessageToDict

url, token, folder = sys.argv[1:]
sys.path.insert(0, folder)
import websocket_pb2  # noqa: E402

EVENTS = {100, 101}
NAME = "Stanisław Lem, by protobuf"


def to_dict(message):
    fields = MessageToDict(message, preserving_proto_field_name=True, including_default_value_fields=True)
    return {**fields, "data": json.loads(message.data_json), "unknown": len(message.UnknownFields())}


class Client:
    def __init__(self, socket):
        self.socket = socket
        self.replies = {}
        self.events = []
        self.control = []

    async def receive(self):
        frame = await asyncio.wait_for(self.socket.recv(), 60)
        if isinstance(frame, str):
            self.control.append(json.loads(frame))
            return
        # Field 1 of all messages. A Request can be read from each of them, other fields are unknown then.
        if websocket_pb2.Request.FromString(frame).pkg_id in EVENTS:
            self.events.append(to_dict(websocket_pb2.Broadcast.FromString(frame)))
            return
        reply = websocket_pb2.Response.FromString(frame)
        self.replies[reply.req_id] = to_dict(reply)

    async def until(self, is_there):
        while not is_there():
            await self.receive()

    async def tell(self, **frame):
        count = len(self.control) + 1
        await self.socket.send(json.dumps(frame))
        await self.until(lambda: len(self.control) == count)

    async def send(self, frame, req_id):
        await self.socket.send(frame)
        await self.until(lambda: req_id in self.replies)
        return self.replies.pop(req_id)

    async def call(self, pkg_id, data):
        req_id = str(uuid.uuid4())
        request = websocket_pb2.Request(pkg_id=pkg_id, req_id=req_id, data_json=json.dumps(data))
        return await self.send(request.SerializeToString(), req_id)


async def main():
    async with websockets.connect(url) as socket:
        client = Client(socket)
        await client.tell(type="auth", token=f"Bearer {token}")
        result = {
            "authors": await client.call(1, {"id": 3}),
            "none": await client.call(1, {"id": 999999}),
            "page": await client.call(2, {"page": 2, "per_page": 3}),
            "cursor": await client.call(2, {"cursor": "", "per_page": 3}),
            "invalid": await client.call(3, {"name": ""}),
            "unmatched": await client.call(77, {}),
            "malformed": await client.send(b"\xff\xff\xff", "00000000-0000-0000-0000-000000000000"),
        }
        # An event before `subscribe` has no place in a topic.
        result["created"] = await client.call(3, {"name": NAME})
        await client.until(lambda: len(client.events) >= 1)
        await client.tell(type="subscribe", id=1, topic="authors")
        count = len(client.events)
        result["conflict"] = await client.call(3, {"name": NAME})
        result["again"] = await client.call(3, {"name": NAME + ", again"})
        await client.until(lambda: any(event["topic"] == "authors" for event in client.events))
        result.update(events=client.events[:count], later=client.events[count:], control=client.control)
        print(json.dumps(result))


asyncio.run(main())
