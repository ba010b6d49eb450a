import { expect, test } from "vitest";
import { drawQrCode } from "../../../core/devices/qr-code.ts";
import { otpauthUri } from "../../../core/devices/totp.ts";

const SECRET = "A".repeat(32);
const PHONE = "📱";

const labelOf = (uri: string) => decodeURIComponent(new URL(uri).pathname.slice(1));

test("the longest possible names still make a QR code, and are cut between characters", async () => {
  const label = {
    issuer: PHONE.repeat(30 / PHONE.length),
    username: PHONE.repeat(128 / PHONE.length),
    device: PHONE.repeat(64 / PHONE.length),
  };
  const uri = otpauthUri({ ...label, username: "ж".repeat(128) }, SECRET);
  expect(labelOf(uri)).toBe(`${label.issuer}:${"ж".repeat(63)}… (${label.device})`);
  expect(await drawQrCode(otpauthUri(label, SECRET))).toMatch(/^data:image\/png/);
});

test("a colon in a name cannot split the label at another place", () => {
  const uri = otpauthUri({ issuer: "A:B", username: "c:d", device: "e:f" }, SECRET);
  expect(labelOf(uri)).toBe("A B:c d (e f)");
  expect(new URL(uri).searchParams.get("issuer")).toBe("A B");
});
