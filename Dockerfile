# One image for the gateway (its default command), the worker and the one-shot commands:
#   docker build --build-arg BUILD_ID=2 --tag second-step:2 .
# An image carries its build: give each build an id of its own, and never give an id to two images.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:24-slim
ARG BUILD_ID
RUN test -n "$BUILD_ID" || { echo "Set --build-arg BUILD_ID: docs/upgrading.md"; exit 1; }
LABEL org.opencontainers.image.title="second-step" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="$BUILD_ID"
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
# For EVENTS_EXPORT_DIR: a volume that is mounted here belongs to the user below.
RUN install -d -o node -g node /exports
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 \
  WORKER_PROBES_ADDRESS=0.0.0.0:9466 \
  WORKFLOW_BUNDLE=/app/dist/workflow-bundle.js \
  WORKER_BUILD_ID=$BUILD_ID
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/api/server.js"]
