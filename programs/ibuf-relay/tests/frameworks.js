// What frameworks of Node do with a Redis of theirs for publish and subscribe.
//
// Usage: node frameworks.js NAME PORT
//
// Each function is one framework; modules are found by NODE_PATH.

const assert = require("assert");
const http = require("http");

const port = +process.argv[3];
const url = "redis://127.0.0.1:" + port;
const ended = [];

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition) {
  for (let i = 0; i < 500 && !condition(); i++)
    await pause(20);
  assert.ok(condition(), "waited in vain for " + condition);
}

async function nodeRedis() {
  const { createClient } = require("redis");
  const client = createClient({ url });
  await client.connect();
  ended.push(() => client.quit());
  return client;
}

function ioredis(options) {
  const Redis = require("ioredis");
  const client = new (Redis.Redis || Redis)(port, "127.0.0.1", options);
  ended.push(() => client.quit());
  return client;
}

// A server of sockets for each of two adapters, a client at each, and what is said at one
// is heard at both.
async function socketServers(adapters) {
  const { Server } = require("socket.io");
  const { io } = require("socket.io-client");
  const servers = [], clients = [], heard = [];

  for (const adapter of adapters) {
    const web = http.createServer();
    const server = new Server(web, { adapter });
    await new Promise((resolve) => web.listen(0, "127.0.0.1", resolve));
    const client = io("http://127.0.0.1:" + web.address().port, { transports: ["websocket"] });
    const index = clients.push(client) - 1;
    heard.push([]);
    client.on("news", (text) => heard[index].push(text));
    server.on("connection", (socket) => socket.join("room"));
    servers.push(server);
    ended.push(() => client.close(), () => server.close());
    await until(() => client.connected);
  }
  await pause(300);
  return { servers, heard };
}

async function hearsEachOther({ servers, heard }) {
  servers[0].emit("news", "to all");
  servers[1].to("room").emit("news", "to the room");
  await until(() => heard.every((said) => said.length === 2));
  heard.forEach((said) => assert.deepStrictEqual(said.sort(), ["to all", "to the room"]));
}

const frameworks = {
  async "redis"() {
    const client = await nodeRedis(), listener = client.duplicate(), heard = [];
    await listener.connect();
    ended.push(() => listener.quit());
    await listener.subscribe("news", (text) => heard.push(text));
    await listener.pSubscribe("n*", (text) => heard.push(text));
    await listener.sSubscribe("news", (text) => heard.push(text));
    assert.strictEqual(await client.publish("news", "a"), 2);
    assert.strictEqual(await client.sPublish("news", "b"), 1);
    await until(() => heard.length === 3);
    assert.deepStrictEqual(await client.multi().publish("news", "c").ping().exec(), [2, "PONG"]);
    await until(() => heard.length === 5);
  },

  async "ioredis"() {
    const client = ioredis(), listener = ioredis(), heard = [];
    listener.on("message", (channel, text) => heard.push(text));
    listener.on("pmessageBuffer", (pattern, channel, text) => heard.push("" + text));
    assert.strictEqual(await listener.subscribe("news", "other"), 2);
    assert.strictEqual(await listener.psubscribe("n*"), 3);
    assert.strictEqual(await client.publish("news", "a"), 2);
    const answers = await client.pipeline().publish("news", "b").publish("other", "c").exec();
    assert.deepStrictEqual(answers, [[null, 2], [null, 1]]);
    assert.deepStrictEqual(await client.multi().publish("news", "d").exec(), [[null, 2]]);
    await until(() => heard.length === 7);
    assert.deepStrictEqual(heard, ["a", "a", "b", "b", "c", "d", "d"]);
  },

  async "ioredis, cluster mode"() {
    const { Cluster } = require("ioredis");
    const client = new Cluster([{ port, host: "127.0.0.1" }]), heard = [];
    const listener = new Cluster([{ port, host: "127.0.0.1" }]);
    ended.push(() => client.quit(), () => listener.quit());
    listener.on("message", (channel, text) => heard.push(text));
    await listener.subscribe("news");
    await client.publish("news", "a");
    await until(() => heard.length === 1);
  },

  async "socket.io, @socket.io/redis-adapter"() {
    const { createAdapter } = require("@socket.io/redis-adapter");
    const adapters = [];
    for (let i = 0; i < 2; i++)
      adapters.push(createAdapter(await nodeRedis(), await nodeRedis()));
    const both = await socketServers(adapters);
    await hearsEachOther(both);
    assert.strictEqual((await both.servers[0].fetchSockets()).length, 2);
  },

  async "socket.io, its sharded adapter"() {
    const { createShardedAdapter } = require("@socket.io/redis-adapter");
    const adapters = [];
    for (let i = 0; i < 2; i++)
      adapters.push(createShardedAdapter(await nodeRedis(), await nodeRedis()));
    await hearsEachOther(await socketServers(adapters));
  },

  async "socket.io, @socket.io/redis-emitter"() {
    const { createAdapter } = require("@socket.io/redis-adapter");
    const { Emitter } = require("@socket.io/redis-emitter");
    const { heard } = await socketServers([createAdapter(ioredis(), ioredis())]);
    new Emitter(await nodeRedis()).to("room").emit("news", "from outside");
    await until(() => heard[0].length === 1);
  },

  async "graphql-redis-subscriptions"() {
    const { RedisPubSub } = require("graphql-redis-subscriptions");
    const pubsub = new RedisPubSub({ publisher: ioredis(), subscriber: ioredis() });
    const said = pubsub.asyncIterator(["news", "n?ws*"], { pattern: true });
    const first = said.next();
    await pause(300);
    await pubsub.publish("news", { text: "a" });
    assert.deepStrictEqual(await first, { value: { text: "a" }, done: false });
    await said.return();
  },

  async "@nestjs/microservices"() {
    require("reflect-metadata");
    const { ServerRedis, ClientRedis } = require("@nestjs/microservices");
    const server = new ServerRedis({ port }), client = new ClientRedis({ port }), heard = [];
    server.addHandler("sum", async (data) => data.reduce((a, b) => a + b, 0), false);
    server.addHandler("news", async (data) => heard.push(data), true);
    await new Promise((resolve, reject) =>
      server.listen((error) => error ? reject(error) : resolve()));
    await client.connect();
    ended.push(() => client.close(), () => server.close());
    await pause(300);
    const sum = await new Promise((resolve, reject) =>
      client.send("sum", [1, 2, 3]).subscribe({ next: resolve, error: reject }));
    assert.strictEqual(sum, 6);
    client.emit("news", "a").subscribe();
    await until(() => heard.length === 1);
  },

  async "mqemitter-redis"() {
    const emitter = require("mqemitter-redis")({ port }), heard = [];
    ended.push(() => new Promise((resolve) => emitter.close(resolve)));
    await new Promise((resolve) => emitter.on("news/#", (message, done) => {
      heard.push(message.text);
      done();
    }, resolve));
    await new Promise((resolve) => emitter.emit({ topic: "news/a", text: "a" }, resolve));
    await until(() => heard.length === 1);
  },
};

async function main() {
  if (process.argv[2] === "--list") {
    console.log(Object.keys(frameworks).join("\n"));
    return;
  }
  await frameworks[process.argv[2]]();
  console.log("all is well");
  for (const end of ended.reverse())
    await Promise.race([Promise.resolve(end()).catch(() => {}), pause(500)]);
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
