import fc from "fast-check";
import { expect, test } from "vitest";
import { knownBrowser } from "../../store/user-agents.ts";

const KHTML = "AppleWebKit/537.36 (KHTML, like Gecko)";
const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";

test.each([
  [
    `Mozilla/5.0 (Linux; Android 10; K) ${KHTML} Chrome/126.0.0.0 Mobile Safari/537.36`,
    "Chrome 126 on Android",
  ],
  [`${IPHONE} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1`, "Chrome 126 on iOS"],
  [`${IPHONE} FxiOS/127.0 Mobile/15E148 Safari/605.1.15`, "Firefox 127 on iOS"],
  [`${IPHONE} Version/17.5 Mobile/15E148 Safari/604.1`, "Safari 17 on iOS"],
  [`${IPHONE} Version/17.0 EdgiOS/126.0.2592.56 Mobile/15E148 Safari/604.1`, "Edge 126 on iOS"],
  [
    `Mozilla/5.0 (Linux; Android 10; HD1913) ${KHTML} Chrome/126.0.6478.71 Mobile Safari/537.36 EdgA/125.0.2535.96`,
    "Edge 125 on Android",
  ],
  [
    `Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918B) ${KHTML} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36`,
    "Samsung Internet 25 on Android",
  ],
  [
    "Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0",
    "Firefox 127 on Android",
  ],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${KHTML} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0`,
    "Edge 126 on Windows",
  ],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${KHTML} Chrome/126.0.0.0 Safari/537.36 OPR/111.0.0.0`,
    "Opera 111 on Windows",
  ],
  [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Firefox 140 on Linux",
  ],
  [
    `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${KHTML} Chrome/126.0.0.0 Safari/537.36`,
    "Chrome 126 on Chrome OS",
  ],
  [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "Safari 17 on macOS",
  ],
  ["curl/8.5.0", "curl 8"],
  ["python-requests/2.32.3", "python-requests 2"],
  ["Go-http-client/1.1", "Go-http-client 1"],
  ["gophercloud/v2.0.0", "gophercloud 2"],
])("%s", (userAgent, words) => {
  expect(knownBrowser(userAgent)).toBe(words);
});

test.each([
  null,
  "",
  "Secure your login at https://evil.example Firefox/",
  "Secure your login at https://evil.example Firefox/call-555",
  "Visit evil.example/now please",
  "evil.example/1 call",
  "Generic/1 (Generic)",
  "curl/at-evil.example",
  "My curl/8.5.0",
])("attack: %j is no known browser, and none of its words are shown", (userAgent) => {
  expect(knownBrowser(userAgent)).toBeUndefined();
});

test("attack: whatever a client calls itself, only listed names and a version are shown", () => {
  const pieces = fc.constantFrom(
    "Mozilla/5.0 (",
    "Chrome/",
    "Firefox/",
    "Version/",
    "Safari/",
    "Android ",
    ") ",
    "12",
    "evil.example",
    " ",
    "/",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary", maxLength: 200 }),
        fc.array(pieces).map((all) => all.join("")),
      ),
      (userAgent) => {
        const words = knownBrowser(userAgent);
        if (words !== undefined)
          expect(words).toMatch(/^[A-Z][\w .-]*? \d{1,4}( on [A-Z][\w .]*)?$|^\w[\w-]* \d{1,4}$/);
        expect(words ?? "").not.toContain("evil");
      },
    ),
  );
});
