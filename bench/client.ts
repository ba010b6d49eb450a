import { Agent, request } from "node:http";

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

/** One request over a kept connection; throws unless it succeeds. */
export function send<Answer>(
  method: string,
  url: string,
  { body, token }: { body?: object; token?: string } = {},
): Promise<Answer> {
  const text = body && JSON.stringify(body);
  const headers = {
    ...(text && { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
    ...(token && { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve, reject) => {
    const call = request(url, { method, agent, headers }, (response) => {
      let answer = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        answer += chunk;
      });
      response.on("end", () => {
        const { statusCode = 0 } = response;
        if (statusCode < 300) return resolve(JSON.parse(answer));
        const { code } = JSON.parse(answer);
        reject(new Error(`${method} ${new URL(url).pathname.slice(0, 12)} ${statusCode} ${code}`));
      });
    });
    call.on("error", reject);
    call.end(text);
  });
}
