module.exports = require('nestjs-polymongo/testing').globalSetup;
