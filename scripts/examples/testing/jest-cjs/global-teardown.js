module.exports = require('nestjs-polymongo/testing').globalTeardown;
