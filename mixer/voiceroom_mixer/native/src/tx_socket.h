#ifndef VR_TX_SOCKET_H
#define VR_TX_SOCKET_H

#include "tx.h"

void vr_tx_flush(vr_tx *tx);

#endif
