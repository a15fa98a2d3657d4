# The image brings its own Node.js, so the platform packages that `npm ci` would bring stay out.
FROM node:26-slim
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts
COPY LICENSE ./
COPY bin bin
COPY config config
COPY src src
RUN mkdir .cache && chown node:node .cache
USER node
# What a start makes of the sources and keeps is made here: containers may not write it.
RUN node bin/gatehouse.js serve --help > /dev/null
EXPOSE 8080
ENTRYPOINT ["node", "bin/gatehouse.js"]
CMD ["serve"]
