import {
  connect,
  constants,
  createSecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { Certified } from "./certificates.ts";

/**
 * A TLS proxy in front of a gRPC server, as clusters and clouds have it. It takes only clients with
 * a certificate of the authority `clients`, if that is given, and keeps calls of the methods
 * `denied` for others.
 */
export async function startGrpcFront(
  target: string,
  own: Certified,
  { clients, denied = [] }: { clients?: string; denied?: string[] } = {},
) {
  const { certificate: cert, key } = own;
  const server = createSecureServer({
    ...{ key, cert, minVersion: "TLSv1.2" },
    ...(clients && { ca: clients, requestCert: true, rejectUnauthorized: true }),
  });
  const authorizations = new Map<string, Set<string | undefined>>();
  server.on("session", (near) => {
    near.on("error", () => {});
    const far = connect(`http://${target}`);
    far.on("error", () => near.destroy());
    near.on("close", () => far.close());
    near.on("stream", (stream, headers) => {
      const method = String(headers[":path"]).replace(/.*\//, "");
      const seen = authorizations.get(method) ?? new Set();
      authorizations.set(method, seen.add(headers.authorization));
      if (denied.includes(method)) deny(stream);
      else pass(stream, far.request({ ...headers, ":scheme": "http" }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  return {
    address: `localhost:${port}`,
    /** The `authorization` headers that each method came with. */
    authorizations,
    async stop() {
      for (const session of sessions) session.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Answers as Temporal does where a client lacks the right: gRPC's status 7. */
function deny(stream: ServerHttp2Stream) {
  stream.on("error", () => {});
  stream.respond(
    {
      ":status": 200,
      "content-type": "application/grpc",
      "grpc-status": "7",
      "grpc-message": "Request unauthorized.",
    },
    { endStream: true },
  );
}

/** Passes a call and its answer on, with the trailers that hold gRPC's status. */
function pass(near: ServerHttp2Stream, far: ReturnType<ReturnType<typeof connect>["request"]>) {
  let trailers: IncomingHttpHeaders = {};
  far.on("response", (headers, flags) => {
    if (near.destroyed) return;
    const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    near.respond(headers, endStream ? { endStream } : { waitForTrailers: true });
    if (!endStream) far.pipe(near);
  });
  far.on("trailers", (headers) => {
    trailers = headers;
  });
  near.on("wantTrailers", () => near.sendTrailers(trailers));
  near.pipe(far);
  near.on("error", () => far.close(constants.NGHTTP2_CANCEL));
  near.on("close", () => far.close(near.rstCode));
  far.on("error", () => near.close(constants.NGHTTP2_INTERNAL_ERROR));
}
