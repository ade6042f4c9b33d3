#include "CHTTPBridge.h"
