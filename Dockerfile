# One image for every process: docker-compose.yml says which entry file a container runs.

FROM node:24-slim AS build
WORKDIR /app
COPY . .
# Everything, to build the micro-frontends; then only what runs.
RUN npm ci --no-audit --no-fund \
  && node microfrontends/build.ts \
  && npm prune --omit=dev --no-audit --no-fund \
  && rm -rf e2e bench scripts

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build --chown=root:root /app ./
# The image's own user: what runs may read the code and not change it.
USER node
CMD ["node", "deployments/gateway.ts"]
