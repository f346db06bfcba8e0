// Reads [{secret, raw, body, headers}, ...] as JSON; says of each what the official library says.
const { Webhook } = require("standardwebhooks");

function verdict({ secret, raw, body, headers }) {
  try {
    const webhook = raw ? new Webhook(Buffer.from(secret), { format: "raw" }) : new Webhook(secret);
    return { ok: true, body: webhook.verify(Buffer.from(body, "base64"), headers) };
  } catch (error) {
    return { ok: false, error: `${error.name}: ${error.message}` };
  }
}

const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(cases.map(verdict)));
