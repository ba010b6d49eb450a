import { expect, test } from "vitest";
import { connectDatabase } from "../../../store/postgres/connect.ts";
import { certificates } from "../../../telemetry/certificates.ts";
import { DAY_MS } from "../../../units.ts";
import { freshDatabase } from "../../support/databases.ts";
import { postgresOverTls } from "../../support/postgres-over-tls.ts";
import { startTlsFront } from "../../support/tls-front.ts";

test("a connection to PostgreSQL over TLS notes when the server's certificate expires", async () => {
  const front = await startTlsFront(1);
  const own = await freshDatabase("postgres");
  const proxy = await postgresOverTls(new URL(own.url), front);
  const database = connectDatabase(`${proxy.url}?sslmode=no-verify`, { max: 1 });
  try {
    await database.ping();
    const [known] = certificates(Date.now());
    expect(known?.certificate).toBe("postgresql");
    // The certificate of the test is made for a day.
    expect(known?.seconds).toBeGreaterThan(DAY_MS / 1000 - 600);
    expect(known?.seconds).toBeLessThanOrEqual(DAY_MS / 1000);
  } finally {
    await database.close();
    await proxy.stop();
    await own.drop();
    await front.stop();
  }
});
