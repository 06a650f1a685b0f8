// What a program with the Redis client of Node does: subscribes in each way, publishes, asks.
//
// Usage: node client.js PORT

const assert = require("assert");
const { createClient } = require("redis");

const COUNT = 500;

async function subscribesAndPublishes(speaker) {
  const listener = speaker.duplicate();
  const heard = { channel: [], pattern: [], large: [] };

  await listener.connect();
  await listener.subscribe("news", (message) => heard.channel.push(message));
  await listener.pSubscribe("n*", (message, channel) => heard.pattern.push([channel, message]));
  await listener.subscribe("large", (message) => heard.large.push(message), true);
  assert.deepStrictEqual(await speaker.pubSubChannels("new*"), ["news"]);
  assert.deepStrictEqual({ ...await speaker.pubSubNumSub(["news", "other"]) },
                         { news: 1, other: 0 });
  assert.strictEqual(await speaker.pubSubNumPat(), 1);

  const large = Buffer.alloc(1 << 20, "\0\r\n\xff", "latin1");
  const sent = [];
  for (let i = 0; i < COUNT; i++)
    sent.push(speaker.publish("news", "message " + i));
  sent.push(speaker.publish("large", large));
  const receivers = await Promise.all(sent);
  assert.deepStrictEqual(receivers, [...Array(COUNT).fill(2), 1]);
  while (heard.large.length < 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  for (let i = 0; i < COUNT; i++) {
    assert.strictEqual(heard.channel[i], "message " + i);
    assert.deepStrictEqual(heard.pattern[i], ["news", "message " + i]);
  }
  assert.ok(heard.large[0].equals(large));
  assert.deepStrictEqual([heard.channel.length, heard.pattern.length], [COUNT, COUNT]);

  await listener.unsubscribe();
  await listener.pUnsubscribe("n*");
  assert.strictEqual(await speaker.publish("news", "to nobody"), 0);
  assert.strictEqual(await listener.ping(), "PONG");
  await listener.quit();
}

async function asks(client) {
  await client.clientSetName("node");
  assert.strictEqual(await client.clientGetName(), "node");
  assert.ok(await client.clientId() > 0);
  assert.strictEqual(await client.echo("a b"), "a b");
  assert.match(await client.info(), /redis_version:7/);
  assert.deepStrictEqual({ ...await client.configGet("databases") },
                         { databases: "16" });
  await assert.rejects(client.get("key"), /unknown command/);
  // Many at once, each with its own answer.
  const answers = await Promise.all([...Array(COUNT).keys()].map((i) => client.echo("" + i)));
  answers.forEach((answer, i) => assert.strictEqual(answer, "" + i));
}

async function main() {
  const client = createClient({ url: "redis://127.0.0.1:" + process.argv[2] });

  await client.connect();
  await asks(client);
  await subscribesAndPublishes(client);
  await client.quit();
  console.log("all is well");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
