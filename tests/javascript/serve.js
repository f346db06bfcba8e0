// Serves `receive` of docs/receiver.md on loopback: the file of the snippet is the first argument.
const fs = require("fs");
const http = require("http");
const vm = require("vm");

const context = vm.createContext({ require, process, Buffer, console });
const code = fs.readFileSync(process.argv[2], "utf8") + "\n;({ receive, latest });";
const { receive, latest } = vm.runInContext(code, context);

const server = http.createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    if (request.method === "GET") {
      response.end(JSON.stringify([...latest.values()]));
      return;
    }
    response.writeHead(receive(request.headers, Buffer.concat(pieces))).end();
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
